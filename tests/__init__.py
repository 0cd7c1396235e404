"""What Bottombox promises, told as stories."""
