"""`benchmart measure`: time real models on this machine, each case in processes of its own.

Models are built from their configuration with random weights, so nothing is downloaded; speed and
memory do not depend on the values of weights.
"""
