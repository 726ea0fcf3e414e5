"""Model directories as ModelScope's hub has them, at full size, with random weights.

They cost what the real ones cost: the same classes, the same number of weights, speech found where it is
(the VAD follows the energy) and tokens at the rate of spoken Mandarin. What they write is nonsense.

    python -m benchmarks.full_size_models var/full-size
"""

from __future__ import annotations

import argparse
import base64
import json
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml
from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from torch import nn

from recognition.funasr.features import Cmvn, write_cmvn
from recognition.funasr.loading import build_model, open_directory
from recognition.funasr.rich_text import EMOTIONS, EVENTS, LANGUAGES
from recognition.funasr.sanm import OfflineDecoder, OfflineEncoder, position_encoding
from recognition.segmentation.network import SegmentationNetwork
from recognition.segmentation.options import PyannoteOptions

from .arguments import add_names

SPECIAL = ("<|im_start|>", "<|im_end|>")

CTC_VOCABULARY = 60_515

TOKENS_PER_SECOND = 4.5  # of spoken Mandarin
STACKED_FRAMES_PER_SECOND = 1000 / 60


@dataclass(frozen=True, slots=True)
class Size:
    """Dimensions of the networks. Those of the hub differ from `FULL` in nothing that costs time."""

    width: int
    heads: int
    feed_forward: int
    encoder_blocks: int
    decoder_blocks: int
    vocabulary: int
    pieces: int
    """Of words, in several languages."""
    further_blocks: int
    punctuation_width: int
    punctuation_heads: int
    punctuation_blocks: int
    punctuation_vocabulary: int
    speaker_growth: int
    speaker_channels: int
    speaker_dimension: int
    llm_width: int
    llm_heads: int
    llm_head: int
    llm_feed_forward: int
    llm_blocks: int
    llm_vocabulary: int
    is_tied: bool
    """Whether the language model's output layer is its embedding."""


FULL = Size(
    width=512,
    heads=4,
    feed_forward=2048,
    encoder_blocks=50,
    decoder_blocks=16,
    vocabulary=8404,
    pieces=25_055,
    further_blocks=20,
    punctuation_width=516,
    punctuation_heads=12,
    punctuation_blocks=12,
    punctuation_vocabulary=471_067,
    speaker_growth=32,
    speaker_channels=128,
    speaker_dimension=192,
    llm_width=1024,
    llm_heads=16,
    llm_head=128,
    llm_feed_forward=3072,
    llm_blocks=28,
    llm_vocabulary=151_936,
    is_tied=True,
)

SMALL = Size(
    width=64,
    heads=4,
    feed_forward=128,
    encoder_blocks=3,
    decoder_blocks=2,
    vocabulary=404,
    pieces=500,
    further_blocks=2,
    punctuation_width=48,
    punctuation_heads=4,
    punctuation_blocks=2,
    punctuation_vocabulary=1000,
    speaker_growth=4,
    speaker_channels=16,
    speaker_dimension=32,
    llm_width=64,
    llm_heads=4,
    llm_head=16,
    llm_feed_forward=128,
    llm_blocks=2,
    llm_vocabulary=500,
    is_tied=False,  # a small random one that is tied writes one token forever
)


def write_all(root: Path, size: Size = FULL) -> None:
    """Write every directory that the sets of FunASR's models name, and one of a segmenter."""
    for name, write in WRITERS.items():
        write(root / name, size)


def write_streaming_paraformer(path: Path, size: Size = FULL) -> None:
    config = _paraformer(size, "ParaformerStreaming", "WavFrontendOnline")
    config["encoder"] = "SANMEncoderChunkOpt"
    config["encoder_conf"] |= {
        "input_layer": "pe_online",
        "chunk_size": [12, 15],
        "stride": [8, 10],
        "pad_left": [0, 0],
        "encoder_att_look_back_factor": [4, 4],
        "decoder_att_look_back_factor": [1, 1],
    }
    config["decoder_conf"]["sanm_shfit"] = 5  # FunASR's spelling; looks back only
    _write(path, config, tokens=_tokens(size.vocabulary))


def write_offline_paraformer(path: Path, size: Size = FULL) -> None:
    _write(path, _paraformer(size, "Paraformer", "WavFrontend"), tokens=_tokens(size.vocabulary))


def write_seaco_paraformer(path: Path, size: Size = FULL) -> None:
    """What the hub's alias `paraformer-zh` is: Paraformer with hot words and a second CIF for times."""
    config = _paraformer(size, "SeacoParaformer", "WavFrontend")
    config["model_conf"] |= {
        "inner_dim": size.width,
        "bias_encoder_type": "lstm",
        "bias_encoder_bid": False,
        "seaco_lsm_weight": 0.1,
        "train_decoder": False,
        "NO_BIAS": min(8377, size.vocabulary - 1),
    }
    config["predictor"] = "CifPredictorV3"
    config["predictor_conf"] |= {
        "smooth_factor2": 0.25,
        "noise_threshold2": 0.01,
        "upsample_times": 3,
        "use_cif1_cnn": False,
        "upsample_type": "cnn_blstm",
    }
    config["seaco_decoder"] = "ParaformerSANMDecoder"
    config["seaco_decoder_conf"] = config["decoder_conf"] | {
        "linear_units": size.feed_forward // 2,
        "num_blocks": 6,
        "att_layer_num": 6,
        "kernel_size": 21,
        "use_output_layer": False,
        "wo_input_layer": True,
    }
    _write(path, config, tokens=_tokens(size.vocabulary))


def write_sensevoice(path: Path, size: Size = FULL) -> None:
    """A CTC over an encoder of two halves; its vocabulary is a SentencePiece model."""
    _write(path, sensevoice_config(size), pieces=sensevoice_pieces(size))


def sensevoice_config(size: Size) -> dict[str, Any]:
    paraformer = _paraformer(size, "SenseVoiceSmall", "WavFrontend")
    config = {key: paraformer[key] for key in ("model", "encoder_conf", "frontend", "frontend_conf")}
    config["model_conf"] = {"length_normalized_loss": True, "sos": 1, "eos": 2, "ignore_id": -1}
    config["encoder"] = "SenseVoiceEncoderSmall"
    config["encoder_conf"]["tp_blocks"] = size.further_blocks
    config["tokenizer"] = "SentencepiecesTokenizer"
    config["tokenizer_conf"] = {"unk_symbol": "<unk>", "split_with_space": True}
    return config


def write_fun_asr_nano(path: Path, size: Size = FULL) -> None:
    """SenseVoice's encoder, an adaptor, Qwen3 0.6B, and a CTC that tells times."""
    tokens = language_model_tokens()
    _write_language_model(path / "Qwen3-0.6B", size, tokens)
    (path / "multilingual.tiktoken").write_bytes(
        b"".join(base64.b64encode(token) + b" %d\n" % number for number, token in enumerate(tokens))
    )
    _write(path, nano_config(size))


def nano_config(size: Size) -> dict[str, Any]:
    sensevoice = sensevoice_config(size)
    adaptor = {"downsample_rate": 1, "ffn_dim": size.feed_forward, "encoder_dim": size.width}
    return {
        "model": "FunASRNano",
        "audio_encoder": sensevoice["encoder"],
        "audio_encoder_conf": sensevoice["encoder_conf"] | {"freeze": True},
        "audio_adaptor": "Transformer",
        "audio_adaptor_conf": adaptor
        | {"use_low_frame_rate": True, "llm_dim": size.llm_width, "n_layer": 2, "attention_heads": 8},
        "llm": "Qwen3-0.6b",
        "llm_conf": {"hub": "hf", "freeze": True, "init_param_path": "Qwen3-0.6B"},
        "ctc_decoder": "Transformer",
        "ctc_decoder_conf": adaptor | {"llm_dim": size.width, "n_layer": 5},
        "ctc_tokenizer": "SenseVoiceTokenizer",
        "ctc_tokenizer_conf": {"vocab_path": "multilingual.tiktoken", "is_multilingual": True},
        "ctc_vocab_size": CTC_VOCABULARY,
        "dataset_conf": {"do_think": False},
        "frontend": "WavFrontend",
        "frontend_conf": _frontend(stacked=7, shift=6) | {"cmvn_file": None},
        "tokenizer": "HuggingfaceTokenizer",
        "tokenizer_conf": {"init_param_path": "Qwen3-0.6B"},
    }


def _write_language_model(path: Path, size: Size, tokens: Sequence[bytes]) -> None:
    """Write its configuration and its tokens, in the form of `transformers`."""
    path.mkdir(parents=True, exist_ok=True)
    ends = {name: len(tokens) + number for number, name in enumerate(("<|endoftext|>", *SPECIAL))}
    config = {
        "architectures": ["Qwen3ForCausalLM"],
        "model_type": "qwen3",
        "hidden_size": size.llm_width,
        "num_attention_heads": size.llm_heads,
        "num_key_value_heads": size.llm_heads // 2,
        "head_dim": size.llm_head,
        "intermediate_size": size.llm_feed_forward,
        "num_hidden_layers": size.llm_blocks,
        "vocab_size": size.llm_vocabulary,
        "tie_word_embeddings": size.is_tied,
        "initializer_range": 0.02 if size.is_tied else 0.3,
        "rope_theta": 1_000_000,
        "rms_norm_eps": 1e-6,
        "max_position_embeddings": 40_960,
        "bos_token_id": ends["<|endoftext|>"],
        "eos_token_id": ends["<|im_end|>"],
    }
    (path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    tokenizer = Tokenizer(BPE(*_byte_pairs(tokens)))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.decoder = ByteLevelDecoder()
    tokenizer.add_special_tokens(list(ends))
    tokenizer.save(str(path / "tokenizer.json"))
    own = {"tokenizer_class": "Qwen2TokenizerFast", "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}
    (path / "tokenizer_config.json").write_text(json.dumps(own), encoding="utf-8")


def language_model_tokens() -> list[bytes]:
    """All bytes, and characters with what stands for their first two: as byte pairs build them."""
    characters = [chr(0x4E00 + number).encode() for number in range(128)] + ["，".encode(), "。".encode()]
    beginnings = dict.fromkeys(character[:2] for character in characters)
    return [*(bytes([number]) for number in range(256)), *beginnings, *characters]


def _byte_pairs(tokens: Sequence[bytes]) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Return a vocabulary and its merges, in the letters by which byte-level tokens are written."""
    visible = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [number for number in range(256) if number not in visible]
    letters = {number: chr(number) for number in visible}
    letters |= {number: chr(256 + at) for at, number in enumerate(others)}
    written = ["".join(letters[number] for number in token) for token in tokens]
    return {token: at for at, token in enumerate(written)}, [
        (token[:-1], token[-1]) for token in written if len(token) > 1
    ]


def write_fsmn_vad(path: Path, size: Size = FULL) -> None:
    """The same for every size: the real one is small enough."""
    del size
    config = {
        "model": "FsmnVADStreaming",
        "model_conf": {"max_end_silence_time": 800, "speech_noise_thres": 0.6},
        "encoder": "FSMN",
        "encoder_conf": {
            "input_dim": 400,
            "input_affine_dim": 140,
            "fsmn_layers": 4,
            "linear_dim": 250,
            "proj_dim": 128,
            "lorder": 20,
            "rorder": 0,
            "lstride": 1,
            "rstride": 0,
            "output_affine_dim": 140,
            "output_dim": 248,
        },
        "frontend": "WavFrontendOnline",
        "frontend_conf": _frontend(stacked=5, shift=1),
    }
    _write(path, config)


def write_punctuation(path: Path, size: Size = FULL) -> None:
    config = {
        "model": "CTTransformer",
        "model_conf": {
            "ignore_id": 0,
            "embed_unit": size.punctuation_width,
            "att_unit": size.punctuation_width,
            "dropout_rate": 0.1,
            "punc_list": ["<unk>", "_", "，", "。", "？", "、"],
            "punc_weight": [1.0] * 6,
            "sentence_end_id": 3,
        },
        "encoder": "SANMEncoder",
        "encoder_conf": {
            "input_size": size.punctuation_width,
            "output_size": size.punctuation_width,
            "attention_heads": size.punctuation_heads,
            "linear_units": size.feed_forward,
            "num_blocks": size.punctuation_blocks,
            "attention_dropout_rate": 0.0,
            "input_layer": "pe",
            "pos_enc_class": "SinusoidalPositionEncoder",
            "normalize_before": True,
            "kernel_size": 11,
            "sanm_shfit": 0,
            "selfattention_layer_type": "sanm",
            "padding_idx": 0,
        },
        "tokenizer": "CharTokenizer",
        "tokenizer_conf": {"unk_symbol": "<unk>"},
    }
    _write(path, config, tokens=_tokens(size.punctuation_vocabulary))


def write_campplus(path: Path, size: Size = FULL) -> None:
    config = {
        "model": "CAMPPlus",
        "model_conf": {
            "feat_dim": 80,
            "embedding_size": size.speaker_dimension,
            "growth_rate": size.speaker_growth,
            "bn_size": 4,
            "init_channels": size.speaker_channels,
            "config_str": "batchnorm-relu",
            "memory_efficient": True,
            "output_level": "segment",
        },
        "frontend": "WavFrontend",
        "frontend_conf": {"fs": 16000},
    }
    _write(path, config)


def write_segmentation(path: Path, size: Size = FULL) -> None:
    """The same for every size: the real one is small enough."""
    del size
    path.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    torch.save({"state_dict": SegmentationNetwork().state_dict()}, path / PyannoteOptions.weights)


WRITERS = {
    "paraformer-zh-streaming": write_streaming_paraformer,
    "paraformer-zh": write_seaco_paraformer,
    "paraformer-zh-plain": write_offline_paraformer,
    "sensevoice": write_sensevoice,
    "fun-asr-nano": write_fun_asr_nano,
    "fsmn-vad": write_fsmn_vad,
    "ct-punc": write_punctuation,
    "cam++": write_campplus,
    "segmentation": write_segmentation,
}


def _paraformer(size: Size, model: str, frontend: str) -> dict[str, Any]:
    return {
        "model": model,
        "model_conf": {
            "ctc_weight": 0.0,
            "lsm_weight": 0.1,
            "length_normalized_loss": True,
            "predictor_weight": 1.0,
            "predictor_bias": 1,
            "sampling_ratio": 0.75,
        },
        "encoder": "SANMEncoder",
        "encoder_conf": {
            "output_size": size.width,
            "attention_heads": size.heads,
            "linear_units": size.feed_forward,
            "num_blocks": size.encoder_blocks,
            "dropout_rate": 0.1,
            "input_layer": "pe",
            "pos_enc_class": "SinusoidalPositionEncoder",
            "normalize_before": True,
            "kernel_size": 11,
            "sanm_shfit": 0,
            "selfattention_layer_type": "sanm",
        },
        "decoder": "ParaformerSANMDecoder",
        "decoder_conf": {
            "attention_heads": size.heads,
            "linear_units": size.feed_forward,
            "num_blocks": size.decoder_blocks,
            "att_layer_num": size.decoder_blocks,
            "dropout_rate": 0.1,
            "kernel_size": 11,
            "sanm_shfit": 0,
        },
        "predictor": "CifPredictorV2",
        "predictor_conf": {
            "idim": size.width,
            "threshold": 1.0,
            "l_order": 1,
            "r_order": 1,
            "tail_threshold": 0.45,
        },
        "frontend": frontend,
        "frontend_conf": _frontend(stacked=7, shift=6),
        "tokenizer": "CharTokenizer",
        "tokenizer_conf": {"unk_symbol": "<unk>", "split_with_space": True},
    }


def _frontend(*, stacked: int, shift: int) -> dict[str, Any]:
    return {
        "fs": 16000,
        "window": "hamming",
        "n_mels": 80,
        "frame_length": 25,
        "frame_shift": 10,
        "lfr_m": stacked,
        "lfr_n": shift,
        "dither": 0.0,
    }


def _tokens(count: int) -> list[str]:
    """Special tokens, pieces of English words, and Chinese characters for the rest."""
    pieces = ["hel@@", "lo", "the", "a", "b", "meet@@", "ing"]
    common = 20_900
    characters = [chr(0x4E00 + i) for i in range(min(count, common))]
    words = [f"w{i}" for i in range(max(0, count - common))]
    tokens = ["<blank>", "<s>", "</s>", *pieces, *characters, *words]
    return [*tokens[: count - 1], "<unk>"]


def sensevoice_pieces(size: Size) -> list[str]:
    """Tags, pieces of English words, marks, and Chinese characters for the rest."""
    tags = [f"<|{name}|>" for name in (*LANGUAGES, *EMOTIONS, *EVENTS, "Speech", "NEUTRAL", "withitn")]
    words = ["▁hello", "▁the", "▁meet", "ing", "▁", "，", "。"]
    pieces = ["<unk>", "<s>", "</s>", *tags, *words]
    return [*pieces, *(chr(0x3400 + number) for number in range(size.pieces - len(pieces)))]


def write_sentencepiece(path: Path, pieces: Sequence[str]) -> None:
    """Write pieces as SentencePiece's file has them: messages of protobuf, each with text, score and type."""

    def field(number: int, content: bytes) -> bytes:
        assert len(content) < 128
        return bytes([number << 3 | 2, len(content)]) + content

    kinds = {"<unk>": 2, "<s>": 3, "</s>": 3}
    path.write_bytes(
        b"".join(
            field(
                1,
                field(1, piece.encode())
                + struct.pack("<Bf", 2 << 3 | 5, -number)
                + bytes([3 << 3, kinds.get(piece, 4 if piece.startswith("<|") else 1)]),
            )
            for number, piece in enumerate(pieces)
        )
    )


def _write(
    path: Path,
    config: dict[str, Any],
    tokens: list[str] | None = None,
    *,
    pieces: Sequence[str] = (),
) -> None:
    path.mkdir(parents=True, exist_ok=True)
    metas: dict[str, Any] = {"init_param": "model.pt", "config": "config.yaml"}
    (path / "config.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    if tokens:
        (path / "tokens.json").write_text(json.dumps(tokens, ensure_ascii=False), encoding="utf-8")
        metas["tokenizer_conf"] = {"token_list": "tokens.json"}
    if pieces:
        name = "chn_jpn_yue_eng_ko_spectok.bpe.model"
        write_sentencepiece(path / name, pieces)
        metas["tokenizer_conf"] = {"bpemodel": name}
    if config.get("tokenizer") == "HuggingfaceTokenizer":
        metas |= {
            "tokenizer_conf": {"init_param_path": "Qwen3-0.6B"},
            "llm_conf": {"init_param_path": "Qwen3-0.6B"},
            "ctc_tokenizer_conf": {"vocab_path": "multilingual.tiktoken"},
        }
    frontend = config.get("frontend_conf", {})
    stacked = frontend.get("lfr_m")
    if stacked and "cmvn_file" not in frontend:
        # Roughly the log energies of speech in Kaldi's int16 scale.
        write_cmvn(
            path / "am.mvn", Cmvn(torch.full((80 * stacked,), -12.0), torch.full((80 * stacked,), 1 / 3.0))
        )
        metas["frontend_conf"] = {"cmvn_file": "am.mvn"}
    (path / "configuration.json").write_text(
        json.dumps({"framework": "pytorch", "model": {"type": "funasr"}, "file_path_metas": metas}),
        encoding="utf-8",
    )
    torch.manual_seed(0)
    model = build_model(open_directory(path))
    if hasattr(model, "predictor"):
        _speak_at_a_natural_rate(model.predictor)
        _write_different_tokens(model)
    if config["model"] == "SenseVoiceSmall":
        _write_different_pieces(model)
    if config["model"] == "FunASRNano" and not model.llm.config.tie_word_embeddings:
        _write_characters(model.llm)
    if config["model"] == "FsmnVADStreaming":
        _follow_energy(model.encoder)
    torch.save(model.state_dict(), path / "model.pt")


@torch.no_grad()
def _write_characters(llm: Any) -> None:
    """Let it write whole characters and ends, no bytes and nothing that has no text."""
    weight, first = llm.lm_head.weight, len(language_model_tokens()) - 130
    last = first + 130 + 1 + len(SPECIAL)
    weight[:first] = 0
    weight[last:] = 0


@torch.no_grad()
def _speak_at_a_natural_rate(predictor: Any) -> None:
    """Make each frame weigh what it does on average in speech, give or take a little."""
    weight = TOKENS_PER_SECOND / STACKED_FRAMES_PER_SECOND
    predictor.cif_output.weight.mul_(0.3)
    predictor.cif_output.bias.fill_(math.log(weight / (1 - weight)))


@torch.no_grad()
def _write_different_tokens(model: Any) -> None:
    """Take away what all inputs have in common: a random network writes one and the same token otherwise."""
    encoder = OfflineEncoder(model.encoder.eval())
    decoder = OfflineDecoder(model.decoder.eval())
    features = torch.randn(300, 560) * model.encoder.output_size() ** 0.5 + position_encoding(300, 560)
    encoding = encoder.encode([features])[0]
    encoder.after_norm.bias.sub_(encoding.mean(0))
    encoding -= encoding.mean(0)

    def balance(output: nn.Linear, arguments: tuple[torch.Tensor]) -> None:
        output.bias.copy_(-(output.weight @ arguments[0].mean((0, 1))))

    with decoder.output_layer.register_forward_pre_hook(balance):
        decoder.decode([encoding.reshape(75, 4, -1).mean(1)], [encoding])


@torch.no_grad()
def _write_different_pieces(model: Any) -> None:
    """Take away what all inputs have in common, as `_write_different_tokens` does."""
    encoding, _ = model.encoder.eval()(torch.randn(1, 300, 560), torch.tensor([300]))
    output = model.ctc.ctc_lo
    output.weight.mul_(3)
    output.bias.copy_(-(output.weight @ encoding[0].mean(0)))
    output.bias[0] += 3.0  # blanks between the pieces


@torch.no_grad()
def _follow_energy(encoder: Any) -> None:
    """Lead the mean of the features through the network's first channel to the score of silence."""

    def first_channel_only(linear: nn.Linear, gain: float = 1.0) -> None:
        linear.weight[0].zero_()
        linear.weight[:, 0].zero_()
        linear.weight[0, 0] = gain
        if linear.bias is not None:
            linear.bias[0] = 0.0

    offset = 3.0  # keeps the channel above zero, where ReLU lets it pass
    encoder.in_linear1.linear.weight[0].fill_(1 / encoder.in_linear1.linear.in_features)
    encoder.in_linear1.linear.bias[0] = offset
    first_channel_only(encoder.in_linear2.linear)
    for block in encoder.fsmn:
        first_channel_only(block.linear.linear)
        first_channel_only(block.affine.linear)
        block.fsmn_block.conv_left.weight[0].zero_()
    first_channel_only(encoder.out_linear1.linear)
    output = encoder.out_linear2.linear
    output.weight.mul_(0.1)
    output.bias.zero_()
    silence_below, steepness = -0.6, 6.0
    first_channel_only(output, -steepness)
    output.bias[0] = steepness * (offset + silence_below) + math.log(output.out_features - 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("root", type=Path)
    add_names(parser, "names", WRITERS)
    options = parser.parse_args()
    for name in options.names:
        WRITERS[name](options.root / name, FULL)
        size = sum(file.stat().st_size for file in (options.root / name).iterdir())
        print(f"{name}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
