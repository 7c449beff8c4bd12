wit_bindgen::generate!({ path: "../../wit", world: "translator", stubs });
