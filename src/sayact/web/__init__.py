"""The embedded web: drawn pictures with questions and answers, of things no robot data shows.

tiles ─▶ scenes ─▶ table ──┐
                           ├─▶ shards (KEY.jpg, KEY.json in tar files)
page (drawn) ──────────────┘
  └─▶ questions, tile_questions, page_questions ─▶ worded in eight languages by languages,
      concept_words and wordings; goals that only the web knows are meant by instructions
"""
