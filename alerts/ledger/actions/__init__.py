"""What people and platforms do that touches a customer and a callback at once."""
