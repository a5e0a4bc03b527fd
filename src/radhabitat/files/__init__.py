"""The only folder that knows paths: input files, results, their provenance."""
