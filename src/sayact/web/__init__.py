"""The embedded web: drawn pictures with questions and answers, of things no robot data shows.

scenes ─▶ table ──┐
                  ├─▶ shards (KEY.jpg, KEY.json in tar files)
page (drawn) ─────┘
  └─▶ questions, page_questions ─▶ worded in eight languages by lexicon and wordings
"""
