//! `anwen setup`: the first administrator, without a browser.

use super::read_secret;
use crate::cli::{CommonArguments, SetupArguments};
use crate::failure::Failure;
use crate::workplace::Workplace;

pub async fn run(common: &CommonArguments, arguments: SetupArguments) -> Result<(), Failure> {
    let workplace = Workplace::open(common)?;
    let password = match arguments.password {
        Some(password) => password,
        None => read_secret("password")?,
    };
    let database = workplace.web_database().await?;
    let user = anwen_web::create_first_administrator(
        &database,
        &arguments.username,
        &password,
        &arguments.display_name,
    )
    .await?;
    if common.json {
        println!("{}", serde_json::json!({"username": user.username, "id": user.id}));
    } else {
        println!("{} may sign in now", user.username);
    }
    Ok(())
}
