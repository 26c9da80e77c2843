"""``aft bench app``: the product's speed on a million generated COTs, through HTTP, against its targets."""
