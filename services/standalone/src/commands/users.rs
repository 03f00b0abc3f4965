//! `anwen users …`

use super::read_secret;
use crate::cli::{CommonArguments, ResetPasswordArguments, UsersCommand};
use crate::failure::Failure;
use crate::workplace::Workplace;
use rand::Rng as _;

/// Characters of a password that is made here, without those that are mistaken for each other.
const PASSWORD_ALPHABET: &[u8] = b"abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// About 115 bits.
const PASSWORD_CHARS: usize = 20;

pub async fn run(common: &CommonArguments, command: UsersCommand) -> Result<(), Failure> {
    match command {
        UsersCommand::ResetPassword(arguments) => reset_password(common, arguments).await,
    }
}

async fn reset_password(common: &CommonArguments, arguments: ResetPasswordArguments) -> Result<(), Failure> {
    let workplace = Workplace::open(common)?;
    let given = match arguments.password {
        Some(password) => password,
        None => read_secret("new password (empty to make one)")?,
    };
    let made = given.is_empty();
    let password = if made { random_password() } else { given };
    let database = workplace.web_database().await?;
    let user = anwen_web::reset_password(&database, &arguments.name, &password).await?;
    if common.json {
        let made = made.then_some(password);
        println!("{}", serde_json::json!({"username": user.username, "password": made}));
    } else {
        println!("the password of {} is set; sessions have ended", user.username);
        if made {
            println!("new password: {password}");
        }
    }
    Ok(())
}

fn random_password() -> String {
    let mut generator = rand::rng();
    (0..PASSWORD_CHARS)
        .map(|_| char::from(PASSWORD_ALPHABET[generator.random_range(0..PASSWORD_ALPHABET.len())]))
        .collect()
}
