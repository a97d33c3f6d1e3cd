"""What a pipeline file says beyond a run: where columns come from, and the report. Data in, data out."""
