"""How fast the product is, beside a bare Flask view, a lean yardstick and pgbench. Run by ../../bench."""
