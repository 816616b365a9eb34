"""The plain Keras script that training through the workbench is compared with."""

from __future__ import annotations

import sys
from pathlib import Path


def train(report: object, folder: Path, epochs: int, source: Path, target: Path) -> None:
    """Trains a copy of a model and saves it, with F1 on the validation split after each epoch.

    Args:
        report: Not used; the executor hands it over.
        folder: The prepared arrays.
        epochs: How often the training split is gone through.
        source: The ``.keras`` file whose architecture is trained.
        target: The file to write.
    """
    import keras
    import numpy as np
    from sklearn.metrics import f1_score

    from workbench.api.dataset import Dataset

    x, y = np.asarray(Dataset(folder).x("train")), np.load(folder / "y_train.npy")
    validation = np.asarray(Dataset(folder).x("validation")), np.load(folder / "y_validation.npy")

    class F1(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            predicted = self.model.predict(validation[0], batch_size=256, verbose=0).argmax(1)
            f1_score(validation[1], predicted, average="macro")

    keras.utils.set_random_seed(0)
    model = keras.models.clone_model(keras.models.load_model(source, compile=False))
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, batch_size=32, epochs=epochs, validation_data=validation, callbacks=[F1()], verbose=0)
    model.save(target)
    keras.utils.clear_session()


if __name__ == "__main__":
    train(None, Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4]))
