"""Running a pipeline: the schedule, attempts, locks, and going on after a failure."""
