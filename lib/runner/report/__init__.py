"""The pages of runs: executed notebooks by nbconvert, a run's and a sweep's by Jinja2 templates.

All are made in a process of their own, at the lowest priority, beside the steps (`process`).
"""
