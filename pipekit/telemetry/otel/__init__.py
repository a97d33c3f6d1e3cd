"""OpenTelemetry: traces and metrics of runs. It needs the extra ``otel``."""
