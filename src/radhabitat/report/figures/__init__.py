"""Every figure of the report, one per file, each a function from data to SVG."""
