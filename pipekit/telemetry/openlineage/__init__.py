"""OpenLineage: what a run and its steps read, wrote and found, as events of https://openlineage.io/docs/spec."""
