"""Tasks as tests send them by REST."""

TRANSFORM = "return {variables: [{key: 'ID', value: body.id}]}"
WEBHOOK = {"tag": "t", "type": "webhook", "pattern": "product-{{ID}}-", "transform": TRANSFORM}
ON_DEMAND = {"tag": "t", "type": "on_demand", "pattern": "product"}
