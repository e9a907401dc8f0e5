"""The data side: files become examples, examples are edited by hand, examples become files again."""
