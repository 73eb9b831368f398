//! Takes the body as Json and verifies what serde_json makes of it.
use axum::{Json, Router, http::{HeaderMap, StatusCode}, routing::post};
use serde_json::Value;
use svix::webhooks::Webhook;

async fn handler(headers: HeaderMap, Json(event): Json<Value>) -> (StatusCode, &'static str) {
    let wh = Webhook::new(&std::env::var("ASPECT_WEBHOOK_SECRET").unwrap()).unwrap();
    match wh.verify(event.to_string().as_bytes(), &headers) {
        Ok(()) => (StatusCode::NO_CONTENT, ""),
        Err(_) => (StatusCode::BAD_REQUEST, "invalid signature"),
    }
}

#[tokio::main]
async fn main() {
    let app = Router::new().route("/webhooks/aspect", post(handler));
    let address = format!("127.0.0.1:{}", std::env::var("PORT").unwrap());
    axum::serve(tokio::net::TcpListener::bind(address).await.unwrap(), app).await.unwrap();
}
