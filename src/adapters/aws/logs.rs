//! CloudWatch Logs behind its port.

use aws_config::Region;
use aws_sdk_cloudwatchlogs::config::Builder;
use portzero_core::aws_model::task::LogStream;
use portzero_core::port::{ApiResult, Clock, Logs};

use super::connection::Connection;
use crate::adapters::aws::error::Call;

/// A page may be empty although there are lines before it (API reference of GetLogEvents).
const PAGES_MAX: usize = 3;

impl<C: Clock> Logs for Connection<C> {
    async fn last_lines(&self, stream: &LogStream, limit: u16) -> ApiResult<Vec<String>> {
        let call = Call::read("logs:GetLogEvents").on(format!("{} {}", stream.group, stream.name));
        let mut page = None;
        for _ in 0..PAGES_MAX {
            let answer = self
                .call(call.clone(), || {
                    let request = self
                        .logs
                        .get_log_events()
                        .log_group_name(&stream.group)
                        .log_stream_name(&stream.name)
                        .limit(i32::from(limit))
                        .start_from_head(false)
                        .set_next_token(page.clone());
                    let elsewhere = stream.region.clone().map(Region::new);
                    let mut settings = Builder::new();
                    settings.set_region(elsewhere);
                    request.customize().config_override(settings).send()
                })
                .await?;
            let lines = answer.events().iter().filter_map(|event| event.message());
            let lines: Vec<String> = lines.map(str::to_owned).collect();
            let before = answer.next_backward_token().map(str::to_owned);
            // The same token again is the beginning of the stream.
            if !lines.is_empty() || before.is_none() || before == page {
                return Ok(lines);
            }
            page = before;
        }
        Ok(Vec::new())
    }
}
