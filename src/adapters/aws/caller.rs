//! Whose credentials they are.

use portzero_core::port::{ApiResult, Clock};

use super::connection::Connection;
use crate::adapters::aws::error::Call;

impl<C: Clock> Connection<C> {
    /// The number of the account. AWS answers this to everybody who has credentials.
    pub async fn account(&self) -> ApiResult<String> {
        let call = Call::read("sts:GetCallerIdentity");
        let answer = self.call(call, || self.sts.get_caller_identity().send()).await?;
        Ok(answer.account().unwrap_or_default().to_owned())
    }
}
