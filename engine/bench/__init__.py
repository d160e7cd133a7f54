"""The bench: classifiers on spaces and labelled sets, on the same folds, with what can be said of their differences."""
