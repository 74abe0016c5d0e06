"""A new problem from a file of the user's: `make new-problem NAME=churn DATA=customers.csv TARGET=churned`.

`guess` says what each column is, `write` puts it into `lib/datasets/<name>.py` and `params/<name>.yaml`.
What those modules call when they run is `lib.datasets._table`.
"""
