"""Compare the product's speed with a bare Flask view, a lean yardstick and pgbench. ../../bench runs it."""
