"""Helpers of the workbook: one noun a module. Notebooks call these; `lib.pipeline` runs notebooks."""
