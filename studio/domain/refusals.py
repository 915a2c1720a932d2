"""What a model says of a wrong field, in words for whoever wrote the file.

Absent on purpose: the form's own words for a setting with limits (`ui.canvas.form_errors`), and showing them.
"""

from __future__ import annotations

from pydantic_core import ErrorDetails

_WORDS = {
    "missing": "This field is missing.",
    "extra_forbidden": "There is no such field.",
    "string_type": "This has to be text.",
    "int_type": "This has to be a whole number.",
    "int_parsing": "This has to be a whole number.",
    "int_from_float": "This has to be a whole number.",
    "float_type": "This has to be a number.",
    "float_parsing": "This has to be a number.",
    "bool_type": "This has to be true or false.",
    "bool_parsing": "This has to be true or false.",
    "list_type": "This has to be a list.",
    "tuple_type": "This has to be a list.",
    "dict_type": "This has to be an object with named fields.",
    "mapping_type": "This has to be an object with named fields.",
    "model_type": "This has to be an object with named fields.",
    "model_attributes_type": "This has to be an object with named fields.",
}


def in_words(item: ErrorDetails) -> str:
    """One sentence for a person; what has none here keeps the model's own words."""
    if item["type"] == "json_invalid":
        return f"The text is not valid JSON: {(item.get('ctx') or {}).get('error', item['msg'])}."
    if item["type"] == "literal_error":
        return f"This has to be one of {(item.get('ctx') or {}).get('expected')}."
    message = _WORDS.get(item["type"]) or item["msg"].removeprefix("Value error, ")
    return message if "\n" in message else f"{message[:1].upper()}{message[1:].rstrip('.')}."
