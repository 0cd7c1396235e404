"""What may be asked and what is told, as it stands in the OpenAPI document."""
