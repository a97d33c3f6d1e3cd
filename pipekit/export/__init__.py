"""A pipeline as the file of another tool that starts its steps: a DAG, a state machine."""
