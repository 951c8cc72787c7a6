"""Pictures with questions and answers from anywhere: readers, the store, and how it is drawn from.

folder of tar shards, of `datasets`, of pictures ─ readers ─▶ Found ─ store ─▶ VisionLanguage
"""
