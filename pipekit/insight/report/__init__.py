"""The report: one HTML file about a pipeline, without anything that it would have to load from elsewhere."""
