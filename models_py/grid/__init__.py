"""Exact predictions of LightGBM boosters for grids, without a row of their own for each cell.

A grid is a cross product of axes (models, devices, batch sizes, ...), and most columns vary along one of
them. `predict_grid` uses that; it needs nothing else of this project.
"""

from models_py.grid.axes import Column, Grid
from models_py.grid.evaluate import predict_grid, predict_rows

__all__ = ["Column", "Grid", "predict_grid", "predict_rows"]
