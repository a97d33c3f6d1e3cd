"""What a run reports to other systems while it goes on: OpenLineage events, traces and metrics of OpenTelemetry."""
