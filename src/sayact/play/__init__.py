"""A live page: type a sentence, watch policies do it side by side, and get in their way."""
