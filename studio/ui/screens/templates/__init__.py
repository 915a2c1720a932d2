"""The gallery: context, ranked cards, comparison, settings, sharing."""
