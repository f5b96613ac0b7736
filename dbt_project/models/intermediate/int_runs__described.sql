{{ configuration_features(ref('int_runs__unioned')) }}
