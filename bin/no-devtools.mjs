// Stands in for react-devtools-core, which Ink loads only for its own developers.
export default {initialize() {}, connectToDevTools() {}};
