"""Chapter "Hindsight": what forecasts and answers were worth."""
