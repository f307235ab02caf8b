"""What the reference shows of sources. A test sends each request and compares each answer."""

from drf_spectacular.utils import OpenApiExample

_PRODUCT = {
    "url": "https://api.example.com/products/{{PRODUCT_ID}}",
    "authentication": "bearer",
    "token": "secret",
    "transform": "return {name: response.name, price: response.price}",
}
_GRAPHQL = {
    "url": "https://api.example.com/graphql",
    "query": "query Product($id: ID!, $first: Int) { product(id: $id) { name reviews(first: $first) { text } } }",
    "variables": [
        {"name": "id", "type": "ID", "value": "{{PRODUCT_ID}}"},
        {"name": "first", "type": "Int", "value": "{{REVIEWS}}"},
    ],
}

_SEARCH = {
    "method": "POST",
    "url": "https://api.example.com/search",
    "body": '{"category": {{CATEGORY}}, "since": "{{now date}}"}',
}

CREATE = OpenApiExample(
    "a product of the shop, with a token",
    value={"tag": "products", "type": "REST", "configuration": _PRODUCT},
    request_only=True,
)
CREATE_GRAPHQL = OpenApiExample(
    "a query with typed variables",
    value={"tag": "reviews", "type": "GRAPHQL", "configuration": _GRAPHQL},
    request_only=True,
)
REPLACE = OpenApiExample("a search", value={"type": "REST", "configuration": _SEARCH}, request_only=True)
CHANGE = OpenApiExample("another name", value={"name": "Products of the shop"}, request_only=True)
TEST = OpenApiExample("with a value for its variable", value={"values": {"PRODUCT_ID": "7"}}, request_only=True)
TEST_NEW = OpenApiExample(
    "a placeholder whose value is missing",
    value={"type": "REST", "configuration": {"url": "https://api.example.com/products/{{PRODUCT_ID}}"}},
    request_only=True,
)
TRANSFORM = OpenApiExample(
    "the names alone",
    value={"code": "return response.map(product => product.name)", "response": [{"name": "Lamp"}, {"name": "Desk"}]},
    request_only=True,
)
UPLOAD = OpenApiExample(
    "a table as the whole body", value="id,name\n1,Lamp\n", media_type="application/octet-stream", request_only=True
)
