"""Made from the registry by ``make stubs``: the techniques of each family, with parameters."""

from typing import Literal

from workbench.api.variant import Variant
from workbench.engine.technique_calls import FamilyCalls
from workbench.jobs.job import Job

class Quantization(FamilyCalls):
    def dynamic_range(
        self,
        parent: str | Variant | None = None,
        *,
        again: bool = False,
    ) -> Job:
        """Stores weights in 8 bits; activations stay float32 and are rounded to 8 bits during each product."""
    def float16(
        self,
        parent: str | Variant | None = None,
        *,
        again: bool = False,
    ) -> Job:
        """Stores every weight in 16 bits instead of 32: as a LiteRT file, or as an ONNX file if it was one."""
    def int16x8(
        self,
        parent: str | Variant | None = None,
        *,
        again: bool = False,
        samples: int = 200,
        split: Literal['train', 'validation'] = 'validation',
        seed: int = 0,
        io: Literal['float32', 'int16'] = 'float32',
    ) -> Job:
        """Stores weights in 8 bits and activations in 16, with ranges observed on sample data."""
    def int4_weights(
        self,
        parent: str | Variant | None = None,
        *,
        again: bool = False,
        compute: Literal['float32', 'int8'] = 'float32',
        weights_range: Literal['minmax', 'mse', 'octav'] = 'minmax',
        rest: Literal['int8', 'float32'] = 'int8',
    ) -> Job:
        """Stores weights in 4 bits, each channel with a scale of its own."""
    def int8(
        self,
        parent: str | Variant | None = None,
        *,
        again: bool = False,
        samples: int = 200,
        split: Literal['train', 'validation'] = 'validation',
        seed: int = 0,
        io: Literal['float32', 'int8'] = 'float32',
        per_channel: bool = True,
        allow_float: bool = True,
    ) -> Job:
        """Stores weights and activations in 8 bits, with ranges observed on sample data."""
    def int8_weights(
        self,
        parent: str | Variant | None = None,
        *,
        again: bool = False,
        per_channel: bool = True,
        round_biases: bool = False,
    ) -> Job:
        """Stores weights in 8 bits and computes in float32."""
    def keras(
        self,
        parent: str | Variant | None = None,
        *,
        again: bool = False,
        mode: Literal['int8', 'int4'] = 'int8',
    ) -> Job:
        """Stores the weights of dense layers and embeddings in 8 or 4 bits, inside the Keras model."""
    def litert_int8(
        self,
        parent: str | Variant | None = None,
        *,
        again: bool = False,
        samples: int = 200,
        split: Literal['train', 'validation'] = 'validation',
        seed: int = 0,
        activations_range: Literal['minmax', 'percentile', 'mse'] = 'percentile',
        percentile: float = 99.99,
        weights_range: Literal['minmax', 'mse', 'octav'] = 'minmax',
        io: Literal['float32', 'int8'] = 'float32',
        per_channel: bool = True,
    ) -> Job:
        """Stores weights and activations in 8 bits, with a choice of how their ranges are found."""
    def mixed_precision(
        self,
        parent: str | Variant | None = None,
        *,
        again: bool = False,
        low: Literal['int4 weights', 'int8 weights', 'int8'] = 'int4 weights',
        kept: Literal['int8 weights', 'float32'] = 'int8 weights',
        by: Literal['F1 budget', 'layers'] = 'F1 budget',
        budget: float = 0.5,
        layers: int = 1,
        samples: int = 400,
        seed: int = 0,
    ) -> Job:
        """Quantizes every layer alone, measures what that costs, and spares the layers that cost most."""
    def onnx_int8(
        self,
        parent: str | Variant | None = None,
        *,
        again: bool = False,
        samples: int = 200,
        split: Literal['train', 'validation'] = 'validation',
        seed: int = 0,
        method: Literal['minmax', 'entropy', 'percentile'] = 'minmax',
        per_channel: bool = True,
        activations: Literal['automatic', 'uint8', 'int8'] = 'automatic',
        reduce_range: Literal['automatic', 'on', 'off'] = 'automatic',
    ) -> Job:
        """Stores weights in 8 bits and lets ONNX Runtime compute with 8-bit activations."""
    def openvino_int8(
        self,
        parent: str | Variant | None = None,
        *,
        again: bool = False,
        samples: int = 200,
        split: Literal['train', 'validation'] = 'validation',
        seed: int = 0,
        preset: Literal['performance', 'mixed'] = 'performance',
        bias_correction: Literal['automatic', 'fast', 'exact', 'none'] = 'automatic',
    ) -> Job:
        """Stores weights in 8 bits and lets OpenVINO compute with 8-bit activations."""
    def qat(
        self,
        parent: str | Variant | None = None,
        *,
        again: bool = False,
        epochs: int = 5,
        batch_size: int = 32,
        learning_rate: float = 0.0001,
        patience: int = 5,
        seed: int = 0,
        optimizer: Literal['Adam', 'AdamW', 'SGD', 'Lion', 'Muon'] = 'Adam',
        schedule: Literal['constant', 'cosine', 'warm-up and cosine', 'one-cycle', 'step'] = 'constant',
        output_weights: str = '',
        weights: Literal['int8', 'int4'] = 'int8',
    ) -> Job:
        """Fine-tunes the model while weights and activations are rounded as the finished file will have them."""

class Inference(FamilyCalls):
    def fold(
        self,
        parent: str | Variant | None = None,
        *,
        again: bool = False,
        normalization: bool = True,
        inputs: bool = True,
        identities: bool = True,
    ) -> Job:
        """Computes BatchNormalization into the weights beside it, and leaves out layers that do nothing."""
    def grid(
        self,
        parent: str | Variant | None = None,
        *,
        again: bool = False,
        goal: Literal['latency', 'throughput'] = 'latency',
        limit_ms: float = 0.0,
        limit_mb: float = 0.0,
        tolerance: float = 1.0,
        runtimes: str = 'litert, onnxruntime, openvino, keras.function',
        precisions: str = 'float32, float16, dynamic int8, int8',
        threads: str = '1, 2',
        batches: str = '1, 8, 32',
    ) -> Job:
        """Measures every combination of runtime, precision, threads and batch, and keeps the best one."""
    def runtime(
        self,
        parent: str | Variant | None = None,
        *,
        again: bool = False,
        runtime: str = 'litert',
        threads: int = 1,
        batch: int = 1,
        opset: int = 17,
    ) -> Job:
        """Runs the same weights elsewhere: another runtime, another number of threads or batch size."""
    def tensorrt(
        self,
        parent: str | Variant | None = None,
        *,
        again: bool = False,
        samples: int = 200,
        split: Literal['train', 'validation'] = 'validation',
        seed: int = 0,
        precision: Literal['float32', 'float16', 'bfloat16', 'int8'] = 'float16',
        batch: int = 1,
    ) -> Job:
        """Runs the model on an NVIDIA GPU, as an engine of the fastest kernels that TensorRT finds."""

class Structure(FamilyCalls):
    def clustering(
        self,
        parent: str | Variant | None = None,
        *,
        again: bool = False,
        clusters: int = 16,
        initialization: Literal['linear', 'density', 'k-means++'] = 'linear',
        moving: bool = True,
        layers: Literal['all', 'dense', 'convolutions'] = 'all',
        leave: str = '',
        distill: float = 0.0,
        temperature: float = 4.0,
        epochs: int = 5,
        batch_size: int = 32,
        learning_rate: float = 0.0005,
        patience: int = 5,
        seed: int = 0,
        optimizer: Literal['Adam', 'AdamW', 'SGD', 'Lion', 'Muon'] = 'Adam',
        schedule: Literal['constant', 'cosine', 'warm-up and cosine', 'one-cycle', 'step'] = 'constant',
        output_weights: str = '',
    ) -> Job:
        """Gives the weights of each layer a few shared values, found by k-means, and trains those values."""
    def dead_units(
        self,
        parent: str | Variant | None = None,
        *,
        again: bool = False,
        round_to: int = 1,
        batch_size: int = 64,
    ) -> Job:
        """Removes filters and units that never fire on the training split. Nothing is trained."""
    def depth(
        self,
        parent: str | Variant | None = None,
        *,
        again: bool = False,
        blocks: int = 1,
        importance: Literal['loss', 'F1'] = 'loss',
        search: Literal['once', 'again after each'] = 'once',
        epochs: int = 10,
        batch_size: int = 32,
        learning_rate: float = 0.0005,
        patience: int = 5,
        seed: int = 0,
        optimizer: Literal['Adam', 'AdamW', 'SGD', 'Lion', 'Muon'] = 'Adam',
        schedule: Literal['constant', 'cosine', 'warm-up and cosine', 'one-cycle', 'step'] = 'constant',
        output_weights: str = '',
    ) -> Job:
        """Leaves out the blocks that the model needs least, and fine-tunes what is left."""
    def low_rank(
        self,
        parent: str | Variant | None = None,
        *,
        again: bool = False,
        choose: Literal['spectrum', 'weights', 'sensitivity'] = 'spectrum',
        energy: float = 0.9,
        weights: float = 0.5,
        tolerance: float = 0.01,
        convolutions: Literal['spatial', 'tucker'] = 'spatial',
        layers: Literal['all', 'dense', 'convolutions'] = 'all',
        leave: str = '',
        epochs: int = 10,
        batch_size: int = 32,
        learning_rate: float = 0.0005,
        patience: int = 5,
        seed: int = 0,
        optimizer: Literal['Adam', 'AdamW', 'SGD', 'Lion', 'Muon'] = 'Adam',
        schedule: Literal['constant', 'cosine', 'warm-up and cosine', 'one-cycle', 'step'] = 'constant',
        output_weights: str = '',
    ) -> Job:
        """Splits the weight matrix of a layer into a product of two small ones, by its singular values."""
    def pruning(
        self,
        parent: str | Variant | None = None,
        *,
        again: bool = False,
        target: Literal['channels', 'parameters', 'bytes', 'macs', 'latency'] = 'macs',
        remove: float = 0.5,
        importance: Literal['l1', 'l2', 'batchnorm', 'taylor', 'random'] = 'l1',
        ranking: Literal['local', 'global'] = 'local',
        steps: int = 1,
        epochs_between: int = 2,
        round_to: int = 8,
        least: float = 0.1,
        distill: float = 0.0,
        temperature: float = 4.0,
        epochs: int = 10,
        batch_size: int = 32,
        learning_rate: float = 0.0005,
        patience: int = 5,
        seed: int = 0,
        optimizer: Literal['Adam', 'AdamW', 'SGD', 'Lion', 'Muon'] = 'Adam',
        schedule: Literal['constant', 'cosine', 'warm-up and cosine', 'one-cycle', 'step'] = 'constant',
        output_weights: str = '',
    ) -> Job:
        """Removes the least important channels: filters, units, attention heads and their widths."""
    def sparsity(
        self,
        parent: str | Variant | None = None,
        *,
        again: bool = False,
        pattern: Literal['unstructured', '2:4', '1:4'] = 'unstructured',
        share: float = 0.8,
        ranking: Literal['adaptive', 'all layers', 'each layer'] = 'adaptive',
        removal: Literal['gradual', 'at once'] = 'gradual',
        every: int = 20,
        layers: Literal['all', 'dense', 'convolutions'] = 'all',
        leave: str = '',
        distill: float = 0.0,
        temperature: float = 4.0,
        epochs: int = 10,
        batch_size: int = 32,
        learning_rate: float = 0.0005,
        patience: int = 5,
        seed: int = 0,
        optimizer: Literal['Adam', 'AdamW', 'SGD', 'Lion', 'Muon'] = 'Adam',
        schedule: Literal['constant', 'cosine', 'warm-up and cosine', 'one-cycle', 'step'] = 'constant',
        output_weights: str = '',
    ) -> Job:
        """Sets the smallest weights to zero and keeps them there while the others learn to do without."""
    def width(
        self,
        parent: str | Variant | None = None,
        *,
        again: bool = False,
        factor: float = 0.5,
        round_to: int = 4,
        epochs: int = 20,
        batch_size: int = 32,
        learning_rate: float = 0.001,
        patience: int = 5,
        seed: int = 0,
        optimizer: Literal['Adam', 'AdamW', 'SGD', 'Lion', 'Muon'] = 'Adam',
        schedule: Literal['constant', 'cosine', 'warm-up and cosine', 'one-cycle', 'step'] = 'constant',
        output_weights: str = '',
    ) -> Job:
        """Makes every hidden layer narrower by one factor and trains the smaller model from new weights."""

class Distillation(FamilyCalls):
    def distill(
        self,
        parent: str | Variant | None = None,
        *,
        again: bool = False,
        student: Literal['narrower copy', 'same architecture', 'this variant'] = 'narrower copy',
        factor: float = 0.5,
        teacher: str = '',
        temperature: float = 4.0,
        weight: float = 0.9,
        compare_seeds: int = 3,
        hints: Literal['none', 'features', 'attention'] = 'none',
        hint_weight: float = 1.0,
        layers: str = '',
        round_to: int = 4,
        epochs: int = 20,
        batch_size: int = 32,
        learning_rate: float = 0.001,
        patience: int = 5,
        seed: int = 0,
        optimizer: Literal['Adam', 'AdamW', 'SGD', 'Lion', 'Muon'] = 'Adam',
        schedule: Literal['constant', 'cosine', 'warm-up and cosine', 'one-cycle', 'step'] = 'constant',
        output_weights: str = '',
    ) -> Job:
        """Trains a student on what a teacher says of each sample, besides the labels."""

class Training(FamilyCalls):
    def retrain(
        self,
        parent: str | Variant | None = None,
        *,
        again: bool = False,
        start: Literal['new weights', "the parent's weights"] = "the parent's weights",
        seeds: int = 1,
        compare: bool = False,
        epochs: int = 20,
        batch_size: int = 32,
        learning_rate: float = 0.001,
        patience: int = 5,
        seed: int = 0,
        optimizer: Literal['Adam', 'AdamW', 'SGD', 'Lion', 'Muon'] = 'Adam',
        schedule: Literal['constant', 'cosine', 'warm-up and cosine', 'one-cycle', 'step'] = 'constant',
        output_weights: str = '',
        find_learning_rate: bool = False,
        momentum: float = 0.9,
        weight_decay: float | None = None,
        warm_up: float = 0.1,
        clip_norm: float = 0.0,
        accumulation: int = 1,
        ema: float = 0.0,
        regression_loss: Literal['squared error', 'absolute error', 'Huber'] = 'squared error',
        label_smoothing: float = 0.0,
        class_weights: Literal['none', 'balanced'] = 'none',
        flip: Literal['none', 'horizontal', 'vertical', 'horizontal and vertical'] = 'none',
        shift: float = 0.0,
        rotation: float = 0.0,
        cutout: float = 0.0,
        mixup: float = 0.0,
        noise: float = 0.0,
        precision: Literal['float32', 'mixed_float16', 'mixed_bfloat16'] = 'float32',
        xla: bool = False,
        steps_per_call: int = 1,
        input_pipeline: Literal['arrays', 'from file', 'cache', 'prefetch', 'parallel map'] = 'arrays',
        profile: bool = False,
    ) -> Job:
        """Trains the model again from new weights, or further from the weights it has."""
