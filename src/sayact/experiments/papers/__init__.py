"""The papers' experiments on two CPU cores: `sayact experiment papers-on-a-desk`.

    arms ── plan ──▶ recipes ── training ──▶ policies ── playing ──▶ outcomes ── findings ──▶ page
            (budget, speed)    (one run each)            (one JSON a policy and suite)

Everything is kept in files of one folder, so that an experiment that was stopped goes on.
"""
