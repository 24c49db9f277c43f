//! CloudWatch Logs behind its port.

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{Region, SdkConfig};
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::config::Builder;

use super::call::Call;
use super::connection::Connection;
use crate::port::{ApiResult, Clock, Logs};
use crate::task::LogStream;

/// The verdict is known when the lines are asked for, and a person waits for it: whatever takes longer is done without.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);

/// A page may be empty although there are lines before it (API reference of GetLogEvents).
const PAGES_MAX: usize = 3;

/// The client, which gives up earlier than the others.
pub(super) fn client(config: &SdkConfig) -> Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(ATTEMPT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .build();
    Client::from_conf(Builder::from(config).timeout_config(timeouts).build())
}

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
