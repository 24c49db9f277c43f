//! STS, for the one call that everybody tries first.

use super::form::{Form, unknown_operation};
use super::xml::{self, Content};
use super::{Answer, HttpResponse};
use crate::sim::world::World;

pub const VERSION: &str = "2011-06-15";

pub fn handle(world: &World, form: &Form, request_id: &str) -> HttpResponse {
    if form.action() != "GetCallerIdentity" {
        return xml::refuse(form, &unknown_operation(form), request_id)
            .with_note(format!("not served: sts:{}", form.action()));
    }
    let account = &world.account().id;
    let content: Content<'_> = Box::new(move |xml| {
        xml.text("Arn", format_args!("arn:aws:iam::{account}:user/simulator"));
        xml.text("UserId", "AIDASIMULATORSIMULATO");
        xml.text("Account", account);
    });
    xml::respond(form, Ok(Answer::from(content)), request_id)
}
