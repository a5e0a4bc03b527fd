"""Every figure of the report, one per file: a function that draws data on a figure.

It sets the size (inches) and draws; `blocks.Figure` makes the SVG in our style.
"""
