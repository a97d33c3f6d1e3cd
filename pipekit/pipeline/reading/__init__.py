"""From YAML to a pipeline; every problem in one ``SpecError``."""
