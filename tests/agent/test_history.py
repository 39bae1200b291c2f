"""What the model sees of a thread: whole pairs, no stray outputs, nothing it cannot read."""

from app_server.agent.history import (
    History,
    is_contextual,
    is_users_own,
    output_for,
    plain_output,
    structured_output,
    text_message,
    without_last_turns,
)
from app_server.protocol.response_item import (
    CustomToolCallOutputResponseItem,
    CustomToolCallResponseItem,
    FunctionCallOutputResponseItem,
    FunctionCallResponseItem,
    InputImageContentItem,
    InputImageFunctionCallOutputContentItem,
    InputTextContentItem,
    InputTextFunctionCallOutputContentItem,
    MessageResponseItem,
    OtherResponseItem,
    OutputTextContentItem,
)


def call(call_id: str, name: str = "exec_command") -> FunctionCallResponseItem:
    return FunctionCallResponseItem(name=name, arguments="{}", call_id=call_id)


def output(call_id: str, text: str = "ok") -> FunctionCallOutputResponseItem:
    return FunctionCallOutputResponseItem(call_id=call_id, output=text)


def said(text: str) -> MessageResponseItem:
    return MessageResponseItem(role="assistant", content=[OutputTextContentItem(text=text)])


def test_a_call_without_an_output_is_answered_as_aborted_right_after_it() -> None:
    history = History([call("a"), call("b"), output("b")])
    assert history.for_model(sees_images=True) == [
        call("a"),
        output("a", "aborted"),
        call("b"),
        output("b"),
    ]


def test_an_output_without_its_call_is_left_out() -> None:
    history = History([output("gone"), said("hi")])
    assert history.for_model(sees_images=True) == [said("hi")]


def test_ids_of_the_service_are_not_sent_back() -> None:
    item = MessageResponseItem(role="assistant", content=[], id="msg_1")
    unknown = OtherResponseItem({"type": "new_thing", "id": "x", "value": 1})
    sent = History([item, unknown]).for_model(sees_images=True)
    assert sent == [
        MessageResponseItem(role="assistant", content=[]),
        {"type": "new_thing", "value": 1},
    ]


def test_a_model_that_cannot_see_gets_a_sentence_for_each_picture() -> None:
    history = History(
        [
            MessageResponseItem(
                role="user",
                content=[
                    InputTextContentItem(text="look"),
                    InputImageContentItem(image_url="data:x"),
                ],
            ),
            call("v", "view_image"),
            FunctionCallOutputResponseItem(
                call_id="v", output=[InputImageFunctionCallOutputContentItem(image_url="data:y")]
            ),
        ]
    )
    message, _, answer = history.for_model(sees_images=False)
    assert isinstance(message, MessageResponseItem)
    assert [type(part) for part in message.content] == [InputTextContentItem] * 2
    assert isinstance(answer, FunctionCallOutputResponseItem)
    assert isinstance(answer.output[0], InputTextFunctionCallOutputContentItem)
    assert history.for_model(sees_images=True) == history.items


def test_a_patch_result_is_stored_as_json_and_sent_as_plain_text() -> None:
    stored = structured_output("Success.\n", 0, 0.04)
    assert stored == '{"output":"Success.\\n","metadata":{"exit_code":0,"duration_seconds":0.0}}'
    patch = CustomToolCallResponseItem(call_id="p", name="apply_patch", input="*** Begin Patch")
    history = History([patch, CustomToolCallOutputResponseItem(call_id="p", output=stored)])
    sent = history.for_model(sees_images=True)[1]
    assert isinstance(sent, CustomToolCallOutputResponseItem)
    assert sent.output == "Exit code: 0\nWall time: 0 seconds\nOutput:\nSuccess.\n"


def test_a_result_that_only_looks_like_json_is_sent_as_it_is() -> None:
    assert plain_output('{"output": 3}') is None
    assert plain_output("[1, 2") is None
    echoed = output("a", structured_output("x", 0, 0))
    assert History([call("a"), echoed]).for_model(sees_images=True)[1] == echoed


def test_messages_we_put_there_are_not_the_users_own() -> None:
    for text in (
        "<environment_context>\n…",
        "# AGENTS.md instructions for /w\n",
        "<turn_aborted>\n",
    ):
        assert is_contextual(text_message("user", text))
        assert not is_users_own(text_message("user", text))
    assert is_users_own(text_message("user", "please <b>look</b>"))
    assert not is_users_own(text_message("developer", "be brief"))


def test_rolling_back_drops_the_last_messages_with_the_context_before_them() -> None:
    one, two = text_message("user", "one"), text_message("user", "two")
    context = text_message("user", "<environment_context>\n</environment_context>")
    items = [one, said("a"), text_message("developer", "new rules"), context, two, said("b")]
    assert without_last_turns(items, 1) == [one, said("a")]
    assert without_last_turns(items, 99) == []
    assert without_last_turns(items, 0) == items


def test_an_output_fits_the_kind_of_its_call() -> None:
    custom = CustomToolCallResponseItem(call_id="c", name="apply_patch", input="x")
    assert output_for(custom, "no") == CustomToolCallOutputResponseItem(call_id="c", output="no")
    assert output_for(call("f"), "no") == output("f", "no")
    assert output_for(said("hi"), "no") is None
