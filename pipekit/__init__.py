"""Config-driven pipelines from files to trusted tables."""
