//! Files out of and into the server.

use serde_json::Value;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, File, FormData, HtmlAnchorElement, Url};

use super::{Ask, Body, Failure, read_as_data_url};

/// Fetches a file and hands it to the browser under a name.
///
/// # Errors
/// Whatever went wrong, worded for people.
pub async fn download(path: &str, name: &str) -> Result<(), Failure> {
    save(&fetched(path).await?, name).ok_or_else(|| Failure::unreadable(name))
}

/// Fetches a picture as a data URL: the browser would ask for its address without saying who asks.
///
/// # Errors
/// Whatever went wrong, worded for people.
pub async fn picture(path: &str) -> Result<String, Failure> {
    read(&fetched(path).await?).await.ok_or_else(|| Failure::unreadable(path))
}

async fn fetched(path: &str) -> Result<Blob, Failure> {
    let mut ask = Ask::get(path);
    ask.accept = "*/*";
    let response = ask.send().await?;
    let blob = JsFuture::from(response.blob().map_err(|_| Failure::offline())?).await;
    blob.ok().and_then(|it| it.dyn_into().ok()).ok_or_else(Failure::offline)
}

async fn read(blob: &Blob) -> Option<String> {
    JsFuture::from(read_as_data_url(blob)).await.ok()?.as_string()
}

fn save(blob: &Blob, name: &str) -> Option<()> {
    let address = Url::create_object_url_with_blob(blob).ok()?;
    let document = web_sys::window()?.document()?;
    let link: HtmlAnchorElement = document.create_element("a").ok()?.dyn_into().ok()?;
    link.set_href(&address);
    link.set_download(name);
    link.click();
    Url::revoke_object_url(&address).ok()
}

/// Sends a file as the form field `file`; `told` hears how much of it has left, in hundredths.
///
/// # Errors
/// Whatever went wrong; for a sheet with errors by row in it, these.
pub async fn upload(path: &str, file: &File, told: impl Fn(u8) + 'static) -> Result<Value, Failure> {
    let form = FormData::new().map_err(|_| Failure::offline())?;
    form.append_with_blob_and_filename("file", file, &file.name()).map_err(|_| Failure::offline())?;
    let told = Closure::<dyn Fn(u8)>::new(told);
    let mut ask = Ask::new("POST", path, Body::Form(&form));
    ask.told = Some(told.as_ref().unchecked_ref());
    ask.value().await
}

/// Reads a file as a data URL.
///
/// # Errors
/// The browser cannot read it.
pub async fn data_url(file: &File) -> Result<String, Failure> {
    read(file).await.ok_or_else(|| Failure::unreadable(&file.name()))
}
