"""A new project: files that are copied into an empty folder, and run at once."""
