"""Captioning models of a few hundred kilobytes, of the libraries' own classes, weights random.

``write_blip2`` can be given what it says: its head is then the least-squares solution for it.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers

from image_core.types import Image

_LIBRARY: Any = transformers  # its classes are typed in part only
_SIDE, _PATCH, _QUERIES = 32, 8, 4
_WORDS = """
    is this a photo painting drawing or another kind of art picture it an with on in red blue boat
    dog cat sea the grass
""".split()  # noqa: SIM905 (read as a text)


def write_blip2(
    folder: Path, *, seed: int = 0, says: Sequence[tuple[Image, str, str]] = ()
) -> Path:
    """Write a BLIP-2 with an encoder and decoder for its text, as blip2-flan-t5 has.

    Args:
        folder: Where to; made if it is not there.
        seed: Of the weights.
        says: Pictures and prompts with the replies that the model is to know by heart, in words
            of its small vocabulary.

    Returns:
        The folder.
    """
    processor = _LIBRARY.Blip2Processor(
        _image_processor(), _t5_tokenizer(), num_query_tokens=_QUERIES
    )
    text = _LIBRARY.T5Config(
        vocab_size=len(processor.tokenizer),
        d_model=64,
        d_kv=16,
        d_ff=64,
        num_layers=1,
        num_decoder_layers=1,
        num_heads=2,
        tie_word_embeddings=False,  # here this only says that the decoder's output is not scaled
        decoder_start_token_id=0,
    )
    torch.manual_seed(seed)
    model = _LIBRARY.Blip2ForConditionalGeneration(_blip2_config(processor, text)).eval()
    if says:
        _teach(model, processor, says)
    return _written(folder, model, processor)


def write_blip2_opt(folder: Path, *, seed: int = 0) -> Path:
    """Write a BLIP-2 whose text model only decodes, as blip2-opt has; arguments as above."""
    processor = _LIBRARY.Blip2Processor(
        _image_processor(), _t5_tokenizer(), num_query_tokens=_QUERIES
    )
    text = _LIBRARY.OPTConfig(
        vocab_size=len(processor.tokenizer),
        hidden_size=32,
        word_embed_proj_dim=32,
        ffn_dim=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=128,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )
    torch.manual_seed(seed)
    return _written(
        folder, _LIBRARY.Blip2ForConditionalGeneration(_blip2_config(processor, text)), processor
    )


def write_blip(folder: Path, *, seed: int = 0) -> Path:
    """Write a BLIP captioning model; arguments as above."""
    tokenizer = _bert_tokenizer()
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1,
             "num_attention_heads": 2}  # fmt: skip
    tokens = {"bos_token_id": 2, "sep_token_id": 3, "eos_token_id": 3, "pad_token_id": 0}
    config = _LIBRARY.BlipConfig(
        text_config={**sizes, **tokens, "vocab_size": len(tokenizer), "encoder_hidden_size": 32,
                     "max_position_embeddings": 64},
        vision_config={**sizes, "image_size": _SIDE, "patch_size": _PATCH},
        projection_dim=16,
    )  # fmt: skip
    torch.manual_seed(seed)
    processor = _LIBRARY.BlipProcessor(_image_processor(), tokenizer)
    return _written(folder, _LIBRARY.BlipForConditionalGeneration(config), processor)


def write_git(folder: Path, *, seed: int = 0) -> Path:
    """Write a GIT captioning model; arguments as above."""
    tokenizer = _bert_tokenizer()
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1,
             "num_attention_heads": 2}  # fmt: skip
    config = _LIBRARY.GitConfig(
        vision_config={**sizes, "image_size": _SIDE, "patch_size": _PATCH},
        **sizes,
        vocab_size=len(tokenizer),
        max_position_embeddings=64,
        bos_token_id=2,
        eos_token_id=3,
        pad_token_id=0,
    )
    torch.manual_seed(seed)
    images = _LIBRARY.CLIPImageProcessor(
        size={"shortest_edge": _SIDE}, crop_size={"height": _SIDE, "width": _SIDE}
    )
    return _written(
        folder, _LIBRARY.GitForCausalLM(config), _LIBRARY.GitProcessor(images, tokenizer)
    )


def _blip2_config(processor: Any, text: Any) -> Any:
    return _LIBRARY.Blip2Config(
        vision_config=_LIBRARY.Blip2VisionConfig(
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=1,
            num_attention_heads=2,
            image_size=_SIDE,
            patch_size=_PATCH,
            initializer_range=0.2,
        ),
        qformer_config=_LIBRARY.Blip2QFormerConfig(
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            vocab_size=len(processor.tokenizer),
            initializer_range=0.2,
        ),
        text_config=text,
        num_query_tokens=_QUERIES,
        image_token_index=processor.tokenizer.convert_tokens_to_ids("<image>"),
        initializer_range=0.2,
    )


def _teach(model: Any, processor: Any, says: Sequence[tuple[Image, str, str]]) -> None:
    """Solve the head for what is to be said: a ridge regression, fewer states than dimensions."""
    states: list[torch.Tensor] = []
    words: list[torch.Tensor] = []
    head = model.language_model.lm_head
    hook = head.register_forward_pre_hook(lambda _, inputs: states.append(inputs[0][0]))
    with torch.no_grad():
        for image, prompt, reply in says:
            pixels = (image * 255).round().astype("uint8")
            asked = processor(images=[pixels], text=[prompt], return_tensors="pt")
            labels = processor.tokenizer(reply, return_tensors="pt")["input_ids"]
            model(**asked, labels=labels)
            words.append(labels[0])
        hook.remove()
        seen = torch.cat(states).double()
        wanted = torch.nn.functional.one_hot(torch.cat(words), head.out_features).double()
        gram = seen @ seen.T + 1e-6 * torch.eye(len(seen), dtype=torch.float64)
        solved = (torch.linalg.solve(gram, wanted).T @ seen).float()
    head.weight = torch.nn.Parameter(solved)  # its own, untied from the embeddings, as in FLAN-T5


def _image_processor() -> Any:
    return _LIBRARY.BlipImageProcessor(size={"height": _SIDE, "width": _SIDE})


def _t5_tokenizer() -> Any:
    pieces = {"<pad>": 0.0, "</s>": 0.0, "<unk>": 0.0, "▁": -4.0}
    pieces |= {f"▁{word}": -2.0 for word in _WORDS}
    pieces |= dict.fromkeys(string.ascii_letters + string.punctuation, -6.0)
    return _LIBRARY.T5Tokenizer(vocab=list(pieces.items()), extra_ids=0)


def _bert_tokenizer() -> Any:
    control = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = dict.fromkeys([*control, *_WORDS, *string.ascii_lowercase])
    return _LIBRARY.BertTokenizer(vocab={piece: number for number, piece in enumerate(pieces)})


def _written(folder: Path, model: Any, processor: Any) -> Path:
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
