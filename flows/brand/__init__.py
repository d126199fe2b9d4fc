"""What a brand is: its file in the open ``_brand.yml`` format, and the mathematics of its colours."""
