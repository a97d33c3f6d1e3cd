"""What a run tells other systems while it goes on: OpenLineage events, traces and metrics of OpenTelemetry."""
