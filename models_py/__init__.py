"""What is learned: predictors, intervals, selection and recommendation. Frames in, frames out."""
