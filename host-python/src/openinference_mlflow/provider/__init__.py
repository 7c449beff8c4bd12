"""OpenTelemetry's providers: finding them, following them, and standing in while there is none."""
