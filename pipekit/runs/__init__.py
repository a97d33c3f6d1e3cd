"""Running a pipeline: the order of steps, attempts, locks, resuming after a failure."""
