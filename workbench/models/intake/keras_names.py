"""The classes that a Keras configuration may name without any code of the user's.

Kept as text, so that a file can be judged without importing Keras; a test compares it with Keras.
"""

# ruff: noqa: SIM905  # a name a line would fill six pages

LAYERS = frozenset(
    """
    Activation ActivityRegularization AdaptiveAveragePooling1D AdaptiveAveragePooling2D
    AdaptiveAveragePooling3D AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D Add
    AdditiveAttention AlphaDropout Attention AugMix AutoContrast Average AveragePooling1D
    AveragePooling2D AveragePooling3D AvgPool1D AvgPool2D AvgPool3D BatchNormalization Bidirectional
    CategoryEncoding CenterCrop Concatenate ContrastLimitedAdaptiveHistogramEqualization Conv1D
    Conv1DTranspose Conv2D Conv2DTranspose Conv3D Conv3DTranspose ConvLSTM1D ConvLSTM2D ConvLSTM3D
    Convolution1D Convolution1DTranspose Convolution2D Convolution2DTranspose Convolution3D
    Convolution3DTranspose Cropping1D Cropping2D Cropping3D CutMix Dense DenseFeatures
    DepthwiseConv1D DepthwiseConv2D Discretization Dot Dropout ELU EinsumDense Embedding
    Equalization Flatten GRU GRUCell GaussianDropout GaussianNoise GlobalAveragePooling1D
    GlobalAveragePooling2D GlobalAveragePooling3D GlobalAvgPool1D GlobalAvgPool2D GlobalAvgPool3D
    GlobalMaxPool1D GlobalMaxPool2D GlobalMaxPool3D GlobalMaxPooling1D GlobalMaxPooling2D
    GlobalMaxPooling3D GroupNormalization GroupQueryAttention HashedCrossing Hashing Identity
    InputLayer IntegerLookup LSTM LSTMCell LayerNormalization LeakyReLU LocallyConnected1D
    LocallyConnected2D Masking MaxNumBoundingBoxes MaxPool1D MaxPool2D MaxPool3D MaxPooling1D
    MaxPooling2D MaxPooling3D Maximum MelSpectrogram Minimum MixUp MultiHeadAttention Multiply
    Normalization PReLU Permute Pipeline RMSNormalization RNN RandAugment RandomBrightness
    RandomColorDegeneration RandomColorJitter RandomContrast RandomCrop RandomElasticTransform
    RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale RandomHeight RandomHue RandomInvert
    RandomPerspective RandomPosterization RandomRotation RandomSaturation RandomSharpness
    RandomShear RandomTranslation RandomWidth RandomZoom ReLU RepeatVector Rescaling Reshape
    Resizing ReversibleEmbedding STFTSpectrogram SeparableConv1D SeparableConv2D
    SeparableConvolution1D SeparableConvolution2D SimpleRNN SimpleRNNCell Softmax Solarization
    SpatialDropout1D SpatialDropout2D SpatialDropout3D SpectralNormalization StackedRNNCells
    StringLookup Subtract TextVectorization ThresholdedReLU TimeDistributed UnitNormalization
    UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D
    BatchNormalizationV1 CuDNNGRU CuDNNLSTM
    """.split()
)
"""Built-in layers of Keras 2 and 3 that run no code from the file."""

MODELS = frozenset(
    """
    Functional Model Sequential
    """.split()
)
"""Models that are described by their configuration alone."""

PARTS = frozenset(
    """
    AWQConfig AWQDTypePolicy AbsMaxQuantizer Constant Constraint DTypePolicy DTypePolicyMap
    Float8QuantizationConfig FloatDTypePolicy GPTQConfig GPTQDTypePolicy GlorotNormal GlorotUniform
    HeNormal HeUniform Identity IdentityInitializer Initializer Int4DTypePolicy
    Int4QuantizationConfig Int8QuantizationConfig L1 L1L2 L2 LecunNormal LecunUniform
    LossScaleOptimizer MaxNorm MinMaxNorm NonNeg Ones Orthogonal OrthogonalInitializer
    OrthogonalRegularizer Policy QuantizationConfig QuantizedDTypePolicy QuantizedFloat8DTypePolicy
    Quantizer RadialConstraint RandomNormal RandomUniform Regularizer STFT STFTInitializer
    TruncatedNormal UnitNorm VarianceScaling Zeros constant glorot_normal glorot_uniform he_normal
    he_uniform identity l1 l1_l2 l2 lecun_normal lecun_uniform max_norm min_max_norm non_neg ones
    orthogonal orthogonal_regularizer radial_constraint random_normal random_uniform stft
    truncated_normal unit_norm variance_scaling zeros
    """.split()
)
"""Initializers, regularizers, constraints and data types."""

VALUES = frozenset(
    """
    __tuple__ __keras_tensor__ __tensor__ __numpy__ __bytes__ __ellipsis__ __typespec__ TensorShape
    __slice__ slice
    """.split()
)
"""Plain values that Keras writes as objects."""

MODULES = frozenset(
    """
    activations constraints dtype_policies engine initializers layers mixed_precision models ops
    quantizers random regularizers saving
    """.split()
)
"""Where the classes above live, by the second part of ``keras.layers`` and the like."""
